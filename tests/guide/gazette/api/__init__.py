import os
from datetime import timedelta

from flask import Flask
from flask_jwt_extended import JWTManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

db = SQLAlchemy()
migrate = Migrate()
jwt = JWTManager()


def create_app():
    app = Flask(__name__)
    app.config['SQLALCHEMY_DATABASE_URI'] = os.environ.get('DATABASE_URL', 'sqlite:///gazette.sqlite')
    app.config['JWT_SECRET_KEY'] = os.environ.get('JWT_SECRET_KEY', 'change me, to thirty-two bytes or more')
    app.config['JWT_ACCESS_TOKEN_EXPIRES'] = timedelta(days=1)
    db.init_app(app)
    migrate.init_app(app, db)
    jwt.init_app(app)

    from api.views import bp
    app.register_blueprint(bp, url_prefix='/api')
    return app


@jwt.user_lookup_loader
def load_user(_header, data):
    from api.models import User
    return db.session.get(User, int(data['sub']))
